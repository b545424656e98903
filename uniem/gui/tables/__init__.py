"""Table models for objects, meshes, markers and metrics."""
