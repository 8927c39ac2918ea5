"""Who works here, what they may do, and how two of them agree"""
