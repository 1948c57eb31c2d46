"""Networks of other tools as layer tables: ONNX files (extra: onnx) and PyTorch modules (extra: torch)."""
