"""Training in memory whose bits fail: networks on handwritten digits, with faults in their bf16 tensors."""
