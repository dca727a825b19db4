"""Put the demo's table and figure from results/quickstart into the README: python scripts/update_readme.py"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
readme = ROOT / "README.md"
table = (ROOT / "results" / "quickstart" / "table.md").read_text().strip()
shown = f"{table}\n\n![NDCG@10 by fusion, mean and seeds](results/quickstart/arms.svg)"
begin, end = "<!-- demo:begin -->\n", "\n<!-- demo:end -->"
readme.write_text(re.sub(f"{begin}.*?{end}", lambda _: begin + shown + end, readme.read_text(), flags=re.DOTALL))
