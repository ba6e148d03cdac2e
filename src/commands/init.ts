import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Args, Flags } from '@oclif/core'
import { BaseCommand, flagsOf, type Invocation, ownSurroundings, runUntilStopped } from '../cli/index.js'
import type { SettingName } from '../config/index.js'
import { replaceFile, systemClock, TargonError } from '../kernel/index.js'
import type { Answers, Asker, Given, Neuron, StartCommand } from '../setup/index.js'
import Doctor from './doctor.js'

type Setup = typeof import('../setup/index.js')

interface InitReport {
  readonly role: Neuron
  readonly file: string
  /** What was written; secrets are masked. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly start: StartCommand
  readonly doctor: unknown
}

export default class Init extends BaseCommand {
  static override summary = 'Set up a miner, validator or hub: ask, write the settings file, check everything'

  static override description =
    'Asks for role, network, wallet, model servers or engines (probed as they are typed), port and public address; for a hub also for certificate or proxy, and database. Every answer is also a flag, and without a terminal all needed ones must be given. Writes `.env`, `targon.config.json` or `targon.config.yaml` (mode 0600) in this folder, never over an existing file without a yes or --force, whose old content is kept beside it. Then runs doctor, whose exit status it has, and prints the command that starts the neuron on this machine.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> miner --wallet.name mine --wallet.hotkey h1 --model-endpoint http://127.0.0.1:8000/v1',
  ]

  static override usage = 'init [miner|validator|hub] [--format env|json|yaml] [--force] [FLAGS]'

  static override args = {
    role: Args.string({ description: 'miner, validator or hub.', options: ['miner', 'validator', 'hub'] }),
  }

  static override flags = {
    format: Flags.string({
      summary: 'File to write: .env, targon.config.json or targon.config.yaml.',
      options: ['env', 'json', 'yaml'],
      helpGroup: 'INIT',
    }),
    force: Flags.boolean({ summary: 'Replace an existing file.', helpGroup: 'INIT' }),
    ...flagsOf('miner'),
    ...flagsOf('validator'),
    ...flagsOf('hub'),
  }

  async run(): Promise<unknown> {
    return await runUntilStopped({ exitWithStdin: false }, (signal) => this.#setUp(signal))
  }

  async #setUp(signal: AbortSignal): Promise<unknown> {
    const setup = await import('../setup/index.js')
    const isAttended = process.stdin.isTTY === true && process.stderr.isTTY === true && !this.jsonEnabled()
    const { stdin: input, stderr: output } = process
    const asker = isAttended ? setup.createAsker({ input, output, signal }) : undefined
    const { args, actions } = await this.readInvocation('update')
    const named = (['miner', 'validator', 'hub'] as const).find((one) => one === args.role)
    const role = named ?? (asker ? await setup.askRole(asker) : undefined)
    if (role === undefined) throw setup.answersMissing(['the role (miner, validator or hub)'])
    if (actions['print-config'] === true) return await this.runWith(role, async () => undefined)
    const invocation = await this.readInvocation<Neuron>(role)
    this.printWarnings(invocation.warnings)
    invocation.onWarned()
    const answers = await this.#answer(setup, role, invocation, asker, signal)
    const format = setup.SETTINGS_FORMATS.find((one) => one === actions.format) ?? 'env'
    const file = resolve(setup.SETTINGS_FILES[format])
    await this.#write(setup, file, setup.writeSettings(format, role, answers), asker, actions.force === true)
    // A program that is packed has its folder one level above dist/.
    const programFolder = fileURLToPath(new URL('../..', import.meta.url))
    const start = setup.startCommandFor({
      ...{ role, programFolder, workingFolder: process.cwd() },
      searchPath: ownSurroundings().env.PATH ?? '',
    })
    this.log(`Wrote ${file}.\n`)
    const doctor = await this.#runDoctor(role)
    this.log(`\nStart it with:\n${start.commands.map((command) => `  ${command}`).join('\n')}`)
    if (start.keyCommand !== undefined) this.log(`\nCreate a key for a user with:\n  ${start.keyCommand}`)
    const report: InitReport = { role, file, settings: setup.shownAnswers(answers), start, doctor }
    return report
  }

  async #answer(
    setup: Setup,
    role: Neuron,
    { settings, resolved }: Invocation<Neuron>,
    asker: Asker | undefined,
    signal: AbortSignal,
  ): Promise<Answers> {
    const isTyped = (name: SettingName) => resolved.origins[name]?.kind === 'flag'
    const has = (name: SettingName) => isTyped(name) || resolved.origins[name]?.kind === 'variable'
    const given: Given = { role, settings, has }
    const probe = (url: string, key: string | undefined) => setup.probeModels(url, key, systemClock, signal)
    const { findHotkeys } = await import('../wallet/index.js')
    const answers = asker
      ? await setup.askAll(given, { asker, findHotkeys, probeModels: probe })
      : setup.answersGiven(given)
    for (const [name, value] of Object.entries(settings))
      if (isTyped(name as SettingName) && !answers.has(name as SettingName) && setup.isAnswer(value))
        answers.set(name as SettingName, value)
    return answers
  }

  /** Never over an existing file without a yes; its old content is kept beside it. */
  async #write(
    setup: Setup,
    file: string,
    text: string,
    asker: Asker | undefined,
    isForced: boolean,
  ): Promise<void> {
    // Two config files in one folder are refused by every command.
    const rival = setup.rivalsOf(file).find((other) => existsSync(other))
    if (rival !== undefined) throw setup.fileExists(rival)
    const exists = existsSync(file)
    if (exists && !isForced && !(await asker?.confirm(`${file} exists. Replace it?`, false)))
      throw setup.fileExists(file)
    try {
      await replaceFile(file, text, exists ? `${file}.previous` : undefined)
    } catch (cause) {
      throw setup.unwritable(file, cause)
    }
  }

  async #runDoctor(role: Neuron): Promise<unknown> {
    const options = [role, ...(this.jsonEnabled() ? ['--json'] : [])]
    const doctor = new Doctor(options, this.config)
    try {
      await doctor.init()
      return await doctor.run()
    } catch (error) {
      if (!(error instanceof TargonError)) throw error
      this.logToStderr(`doctor: ${error.message}`)
      return null
    }
  }
}
