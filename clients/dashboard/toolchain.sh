# Sourced by build and check: Node.js, the packages of package-lock.json and the TypeScript client, or exit status 77.

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "the dashboard needs Node.js 20.19 or later with npm, and there is none" >&2
    exit 77
fi
if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
    echo "the dashboard needs Node.js 20.19 or later; this is $(node --version)" >&2
    exit 77
fi
# npm leaves a copy of the lock file beside what it installed.
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
    npm ci --loglevel=error >/dev/null
fi
../typescript/build
mkdir -p out
