"""The nouns: volumes, meshes, tables, models, and their files."""
