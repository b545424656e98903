"""Networks in the forms that other programs take, and networks of other programs: ONNX and bioimage.io."""
