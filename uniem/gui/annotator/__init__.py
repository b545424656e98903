"""The 3D annotator: meshes, their table, markers on their surfaces. VTK is loaded at the first picture."""
