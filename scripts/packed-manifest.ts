/**
 * `npm pack` and `npm publish` call this before and after they write the tarball: `strip` takes from package.json what only
 * this repository needs, and `restore` puts it back. With a script named `prepare` in it, npm warns everyone who installs the
 * tarball of a script that it will not run.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const manifest = fileURLToPath(new URL('../package.json', import.meta.url))
const original = `${manifest}.original`
const OWN = ['scripts', 'devDependencies', 'overrides', 'allowScripts']

/** Also after a run that was stopped between the two steps. */
function restore(): void {
  if (existsSync(original)) renameSync(original, manifest)
}

function strip(): void {
  restore()
  const text = readFileSync(manifest, 'utf8')
  writeFileSync(original, text)
  const entries = Object.entries(JSON.parse(text)).filter(([name]) => !OWN.includes(name))
  writeFileSync(manifest, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`)
}

const step = process.argv[2]
if (step === 'strip') strip()
else if (step === 'restore') restore()
else throw new Error(`packed-manifest knows strip and restore, not ${step}`)
