"""Tollgate for mitmproxy's own tools: mitmdump, mitmweb or mitmproxy -s addons/suite.py

The order is the order of the walk: a call goes down this list, its answer comes back up.
"""

from tollgate.gate import Gate
from tollgate.gate.suite import rooms

addons = [Gate(), *rooms()]
