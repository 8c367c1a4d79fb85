"""What is run and from where: the command line, suites, plans, execution, and checks of the suite itself.

No metric, model or reader belongs here.
"""
