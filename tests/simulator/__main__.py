"""python tests/simulator --ready-file FILE"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by its path, the package has to be found

from simulator.main import main  # noqa: E402

main()
