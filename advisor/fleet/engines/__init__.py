"""The engines that can judge a store; each module has `start(store, rules, selection, …)`."""
