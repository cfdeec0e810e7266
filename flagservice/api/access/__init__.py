"""Who calls, and what do their scopes open?"""
