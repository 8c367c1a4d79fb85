"""The version of the package, which every stored run and signature names."""

__version__ = "0.1.0"
