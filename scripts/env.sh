# Sourced by the other scripts: finds a fitting Python, keeps .venv in step with the lock files.
# Nothing outside the checkout is changed.

cd "$(dirname "$0")/.." || exit 1

fits() {
    "$1" -c 'import sys, ssl, sqlite3, venv, ensurepip; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' \
        >/dev/null 2>&1
}

# Prints the first interpreter that fits, newest well-tested version first.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        if fits "$PYTHON"; then printf '%s\n' "$PYTHON"; return 0; fi
        return 1
    fi
    for version in 3.13 3.12 3.14; do
        for candidate in \
            "python$version" \
            "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version"*/bin/python3 \
            "$HOME"/.local/bin/"python$version" \
            "$HOME"/.local/share/uv/python/cpython-"$version"*/bin/python3 \
            "$HOME"/.asdf/installs/python/"$version"*/bin/python3 \
            /usr/local/bin/"python$version" \
            /opt/homebrew/bin/"python$version" \
            /opt/python*/bin/"python$version" \
            /opt/python/"$version"*/bin/python3; do
            if fits "$candidate"; then printf '%s\n' "$candidate"; return 0; fi
        done
    done
    for candidate in python3 python; do
        if fits "$candidate"; then printf '%s\n' "$candidate"; return 0; fi
    done
    return 1
}

# ensure_env LOCKFILE: .venv holds exactly what LOCKFILE names; a second call costs milliseconds.
ensure_env() {
    lock=$1
    stamp=.venv/.installed-$(basename "$lock")
    if [ -x .venv/bin/python ] && cmp -s "$lock" "$stamp"; then return 0; fi
    if ! { [ -x .venv/bin/python ] && fits .venv/bin/python; }; then
        if ! python=$(find_python); then
            echo "No Python 3.12, 3.13 or 3.14 (with venv, ssl and sqlite3) was found: install one, for example 'apt install python3 python3-venv' or 'pyenv install 3.13', or name one with PYTHON=/path/to/python3." >&2
            exit 1
        fi
        echo "Setting up .venv with $("$python" --version) (about a minute, once) ..." >&2
        rm -rf .venv
        "$python" -m venv .venv || exit 1
    else
        echo "Bringing .venv up to date with $lock ..." >&2
    fi
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"; then
        echo "The packages of $lock could not be installed (see above): check the network and free disk space, then run this again." >&2
        exit 1
    fi
    cp "$lock" "$stamp"
}
