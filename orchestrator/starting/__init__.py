"""From a folder of pictures to a plan: what is there, what to do with it, the text of the plan.

looking → Found → choosing → Choice → writing → text
"""
