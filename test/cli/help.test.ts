import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TargonHelp } from '../../src/cli/help.js'
import { BaseCommand } from '../../src/cli/index.js'
import Doctor from '../../src/commands/doctor.js'
import Init from '../../src/commands/init.js'
import Localnet from '../../src/commands/localnet.js'
import MinerStart from '../../src/commands/miner/start.js'
import Query from '../../src/commands/query.js'
import ValidatorStart from '../../src/commands/validator/start.js'
import ValidatorWeights from '../../src/commands/validator/weights.js'
import { firstSettings, type Role } from '../../src/config/index.js'
import { loadConfig } from '../support/cli.js'

/** The help of a command in src, as a terminal of this width shows it. */
async function helpOf(id: string, command: typeof BaseCommand, words: string[], maxWidth = 80) {
  const config = await loadConfig()
  const written: string[] = []
  class Captured extends TargonHelp {
    protected override log(...lines: string[]): void {
      written.push(lines.join(' '))
    }
  }
  const help = new Captured(config, { maxWidth, stripAnsi: true })
  const { summary, description, usage, examples, args } = command
  const flags = { ...BaseCommand.baseFlags, ...command.flags }
  for (const [name, arg] of Object.entries(args)) Object.assign(arg, { name })
  const loadable = { id, summary, description, usage, examples, args, flags, aliases: [] }
  const found = config.findCommand
  try {
    config.findCommand = () => loadable as never
    await help.showHelp([...id.split(' '), ...words])
  } finally {
    config.findCommand = found
  }
  return written.join('\n')
}

const COMMANDS = [
  ['miner start', 'miner', MinerStart],
  ['validator start', 'validator', ValidatorStart],
  ['query', 'query', Query],
  ['localnet', 'localnet', Localnet],
] as const satisfies [string, Role, typeof BaseCommand][]

describe.each(COMMANDS)('targon %s --help', (id, role, command) => {
  it('shows the settings that operators start with, in their order, and how to see the others', async () => {
    const help = await helpOf(id, command, ['--help'])
    const [flags = ''] = help.split('DESCRIPTION')
    const shown = [...flags.matchAll(/^ {2}--(?:\[no-\])?([\w.-]+)/gm)].map(([, name]) => name)
    const first = firstSettings(role)
    expect(shown.filter((name) => first.includes(name as (typeof first)[number]))).toEqual(first)
    expect(help).toMatch(new RegExp(`MORE FLAGS\\n\\s+\\d+ more:\\s+targon\\s+${id}\\s+--help-all`))
    expect(help).not.toContain('TARGON_')
  })

  it.each([80, 120])('fits a terminal of %i columns, and two screens of 40 lines', async (columns) => {
    const help = await helpOf(id, command, ['--help'], columns)
    // Examples stay on one line, so that they can be copied.
    const lines = help.split('\n').filter((line) => !/^ +(\$|echo) /.test(line))
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
    expect(lines.length).toBeLessThan(80)
  })

  it('shows every flag with --help-all', async () => {
    const help = await helpOf(id, command, ['--help-all'])
    for (const [name, { hidden }] of Object.entries(command.flags))
      if (!hidden) expect(help).toMatch(new RegExp(`--(\\[no-\\])?${name}\\b`))
    expect(help).not.toContain('MORE FLAGS')
  })
})

it.each([
  ['doctor', Doctor],
  ['init', Init],
] as const)('starts the help of %s with what miners and validators start with', async (id, command) => {
  const help = await helpOf(id, command, ['--help'])
  for (const role of ['miner', 'validator'] as const)
    for (const name of firstSettings(role)) expect(help).toContain(name)
  expect(help).toMatch(new RegExp(`targon\\s+${id}\\s+--help-all`))
  const lines = help.split('\n').filter((line) => !/^ +\$/.test(line))
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(lines.length).toBeLessThan(120)
})

it('shows every flag of other commands', async () => {
  const help = await helpOf('validator weights', ValidatorWeights, ['--help'])
  for (const name of Object.keys(ValidatorWeights.flags)) expect(help).toContain(`--${name}`)
  expect(help).not.toContain('MORE FLAGS')
})

it('is the help class of the package', () => {
  const { oclif } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(oclif.helpClass).toEqual({ target: './dist/cli/help', identifier: 'TargonHelp' })
  expect(oclif.additionalHelpFlags).toContain('--help-all')
})
