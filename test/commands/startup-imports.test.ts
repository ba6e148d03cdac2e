import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { packagesOf } from '../support/static-imports.js'

const commands = new URL('../../src/commands/', import.meta.url)

/** Packages a command may load before `run()`: --help and misspelt flags must respond immediately. */
const LIGHT = ['@oclif/core', 'zod', 'dotenv', 'semver', 'log-update']

const files = readdirSync(commands, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
)

it.each(files)('%s loads no heavy package before run()', (path) => {
  const packages = [...packagesOf(new URL(path, commands))]
  expect(packages).toContain('@oclif/core')
  expect(packages.filter((name) => !LIGHT.includes(name))).toEqual([])
})
