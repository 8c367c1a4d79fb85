"""Selection of the classes of a data set that a suite uses, and of those that it withholds from training.

How objects are divided into subsets belongs in `splits`; what a publication used belongs in its manifest.
"""
