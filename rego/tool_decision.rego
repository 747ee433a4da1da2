package tool_decision

import future.keywords
