import { readFileSync } from 'node:fs'

const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm

/** Packages loaded with a module of this repository through its static imports. */
export function packagesOf(file: URL, seen = new Set<string>()): Set<string> {
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
