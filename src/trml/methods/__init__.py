"""The compared methods, one module each: a torch module and its losses, written for a single training.

`contract` describes what a method provides and what a batch holds; the trainer stacks many trainings of a method.
"""
