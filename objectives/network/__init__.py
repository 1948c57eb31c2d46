"""What a neural network computes and stores: layers and tensors, without a machine."""
