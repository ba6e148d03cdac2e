import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const commands = new URL('../../src/commands/', import.meta.url)

/** Packages a command may load before `run()`: --help and misspelt flags must respond immediately. */
const LIGHT = ['@oclif/core', 'zod', 'dotenv', 'semver', 'log-update']

const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm

/** Packages loaded with a module through its static imports. */
function packagesOf(file: URL, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>()
  if (seen.has(file.href)) return packages
  seen.add(file.href)
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
    if (name.startsWith('node:')) continue
    if (!name.startsWith('.')) packages.add(name)
    else
      for (const found of packagesOf(new URL(name.replace(/\.js$/, '.ts'), file), seen)) packages.add(found)
  }
  return packages
}

const files = readdirSync(commands, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
)

it.each(files)('%s loads no heavy package before run()', (path) => {
  const packages = [...packagesOf(new URL(path, commands))]
  expect(packages).toContain('@oclif/core')
  expect(packages.filter((name) => !LIGHT.includes(name))).toEqual([])
})
