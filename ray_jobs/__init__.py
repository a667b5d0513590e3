"""The commands: recipes in, stages placed on Ray, results in a run directory. No science lives here."""
