"""Set one long document: the order on standard input, the PDF on standard output (see `typesetting.typeset`)."""

import sys

from sangkien.documents.typesetting import print_order

if __name__ == "__main__":
    sys.stdout.buffer.write(print_order(sys.stdin.buffer.read()))
