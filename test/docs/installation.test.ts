import { readFileSync } from 'node:fs'
import semver from 'semver'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

const lock = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({
      hasInstallScript: z.boolean().optional(),
      engines: z.union([z.record(z.string(), z.string()), z.array(z.string())]).optional(),
    }),
  ),
})
const manifest = z.looseObject({
  scripts: z.record(z.string(), z.string()),
  allowScripts: z.record(z.string(), z.boolean()),
})

const packages = Object.entries(lock.parse(JSON.parse(read('package-lock.json'))).packages)
const { scripts, allowScripts } = manifest.parse(JSON.parse(read('package.json')))

describe('npm ci prints no warnings', () => {
  it('about packages that the oldest supported Node.js cannot run', () => {
    const refused = packages.flatMap(([path, { engines }]) => {
      const range = Array.isArray(engines) ? undefined : engines?.node
      return range === undefined || semver.satisfies('20.19.0', range) ? [] : [`${path} needs ${range}`]
    })
    expect(refused).toEqual([])
  })

  it('about install scripts that have not been reviewed', () => {
    const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)
    const names = scripted.map((path) => path.replace(/^.*node_modules\//, ''))
    expect([...new Set(names)].sort()).toEqual(Object.keys(allowScripts).sort())
  })

  it('about newer releases of oclif', () => {
    for (const script of Object.values(scripts).filter((text) => /\boclif\b/.test(text)))
      expect(script).toContain('OCLIF_SKIP_NEW_VERSION_CHECK=1 oclif')
  })
})
