"""The scripts that shells are given, and what they are told in answer.

Each asks `skint __complete SHELL NUMBER WORD…` for the words that may stand at NUMBER.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.cli.completing.offers import Offer

BASH = r"""
_skint() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(
        skint __complete bash "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o nosort -F _skint skint 2>/dev/null || complete -F _skint skint
"""

ZSH = r"""#compdef skint
_skint() {
    local -a found
    found=("${(@f)$(skint __complete zsh $((CURRENT - 1)) "${words[@]}" 2>/dev/null)}")
    if [[ ${#found[@]} -eq 1 && ${found[1]} == */ ]]; then
        compadd -S '' -- "${found[1]}"
    elif [[ -n ${found[1]} ]]; then
        _describe -V skint found
    fi
}
if [[ ${funcstack[1]} == _skint ]]; then
    _skint "$@"  # a file of $fpath is read at the first TAB, which wants its answer
else
    compdef _skint skint
fi
"""

FISH = r"""
function __skint_complete
    set -l words (commandline -opc) (string unescape -- (commandline -ct); or commandline -ct)
    skint __complete fish (math (count $words) - 1) $words 2>/dev/null
end
complete -c skint -f -k -a '(__skint_complete)'
"""

SCRIPTS: Mapping[str, str] = {"bash": BASH, "zsh": ZSH, "fish": FISH}
WHERE: Mapping[str, str] = {
    "bash": "skint completion bash > ~/.local/share/bash-completion/completions/skint",
    "zsh": "skint completion zsh > a folder of your $fpath, as _skint; then: compinit",
    "fish": "skint completion fish > ~/.config/fish/completions/skint.fish",
}


def words_of(shell: str, number: int, words: Sequence[str]) -> list[str]:
    """Those behind `skint`, up to the cursor. Bash takes `--fold=1` apart: `--fold`, `=`, `1`."""
    line = [*words[1 : number + 1], *([""] if number >= len(words) else [])]
    if shell != "bash":
        return line
    if line and line[-1] == "=":
        line[-1] = ""
    return [word for word in line[:-1] if word != "="] + line[-1:]


def answer(shell: str, found: Iterable[Offer]) -> str:
    if shell == "bash":
        return "\n".join(_escaped(word) for word, _ in found)
    if shell == "fish":
        return "\n".join(f"{word}\t{said}" for word, said in found)
    return "\n".join(
        re.sub(r"([\\:])", r"\\\1", word) + (f":{said}" if said else "") for word, said in found
    )


def _escaped(word: str) -> str:
    return re.sub(r"([^\w@%+=:,./~-])", r"\\\1", word)
