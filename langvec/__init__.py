"""Entropy2Vec: text in; language vectors, trees and a regulariser out."""
