"""The gateway beside the barest application that does the same: as processes, on the same stores."""
