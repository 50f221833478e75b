from hypothesis import settings

settings.register_profile("no clock", deadline=None)  # a slow machine is not a wrong answer
settings.load_profile("no clock")
