import { Command, Errors, Flags, type Interfaces } from '@oclif/core'
import {
  formatValue,
  printSettings,
  type Resolved,
  type Role,
  type RoleSettings,
  readSources,
  resolveSettings,
  type SettingName,
  sourceFiles,
} from '../config/index.js'
import { escapeControlsInLines, isAbort, TargonError } from '../kernel/index.js'
import { exitStatus } from './exit-status.js'
import { commandLineOnly } from './flags.js'
import { ISSUES_URL } from './issues.js'
import { type StartNetworkAround, type SurroundingNetwork, serveMocked } from './mock.js'
import { respell } from './spelling.js'
import { formatTable } from './table.js'
import { usageError } from './usage-error.js'
import { errorDocument, writeError } from './write-error.js'
import { writeJson } from './write-json.js'

const REPORT = `Please report it with what follows at ${ISSUES_URL}.`

type GivenFlags = Record<string, string | boolean | readonly string[]>

/** A command line, read. */
export interface Invocation<R extends keyof RoleSettings> {
  readonly resolved: Resolved<R>
  readonly settings: RoleSettings[R]
  /** Flags that are no settings (`--list`, `--json`, …). */
  readonly actions: Readonly<Record<string, unknown>>
  readonly args: Readonly<Record<string, unknown>>
  /** Sentences for stderr: old spellings, settings without effect, secrets in the open. */
  readonly warnings: readonly string[]
  /** Absolute paths of the files settings are read from, those not there yet included. */
  readonly files: readonly string[]
}

/** What every command shares: reading its settings, printing errors, exit statuses. It owns no clients. */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true

  static override baseFlags: Interfaces.FlagInput = {
    config: Flags.string({
      summary: 'JSON file with settings; its keys are the names of the flags.',
      helpGroup: 'GLOBAL',
      helpValue: '<file>',
      env: 'TARGON_CONFIG',
      defaultHelp: async () => 'targon.config.json if there is one',
    }),
    'env-file': Flags.string({
      summary: 'Further file of variables, read after .env.',
      helpGroup: 'GLOBAL',
      helpValue: '<file>',
      env: 'TARGON_ENV_FILE',
    }),
    'print-config': Flags.boolean({
      summary: 'Print every setting with its source, secrets masked, and end.',
      helpGroup: 'GLOBAL',
    }),
  }

  /** The command line as it was typed: oclif replaces `argv` by what it was given to parse. */
  #words: readonly string[] = []

  override async init(): Promise<void> {
    this.#words = [...this.argv]
    await super.init()
    if (!process.stdout.listeners('error').includes(endQuietly)) process.stdout.on('error', endQuietly)
  }

  /** Reads the command line and does the work; with --print-config prints the settings instead. */
  protected async runWith<R extends keyof RoleSettings & Role>(
    role: R,
    work: (invocation: Invocation<R>) => Promise<unknown>,
  ): Promise<unknown> {
    const invocation = await this.readInvocation(role)
    if (invocation.actions['print-config'] === true) return this.printConfig(invocation.resolved)
    this.printWarnings(invocation.warnings)
    return await work(invocation)
  }

  /**
   * What the start commands of both neurons share: the role as it is, or with --mock within a network of its own. The role
   * logs the warnings itself.
   *
   * @param loadNetwork cli/ does not import roles/localnet, and a role without --mock does not need it.
   */
  protected async runNeuron<R extends 'miner' | 'validator'>(
    role: R,
    loadNetwork: () => Promise<StartNetworkAround>,
    serve: (invocation: Invocation<R>, network?: SurroundingNetwork) => Promise<unknown>,
  ): Promise<unknown> {
    const invocation = await this.readInvocation(role)
    const { settings, actions, resolved } = invocation
    if (actions['print-config'] === true) return this.printConfig(resolved)
    if (!settings.mock) return await serve(invocation)
    return await serveMocked(
      role,
      await loadNetwork(),
      { seed: 'seed' in settings ? settings.seed : undefined, exitWithStdin: settings['exit-with-stdin'] },
      (line) => this.logToStderr(line),
      async (network) => serve(await this.readInvocation(role, network.arguments), network),
    )
  }

  /**
   * Parses the command line and resolves the settings of the role.
   *
   * @param placed flags that weaker than the operator's own place the role in an embedded network.
   */
  protected async readInvocation<R extends keyof RoleSettings & Role>(
    role: R,
    placed: readonly string[] = [],
  ): Promise<Invocation<R>> {
    const own = await this.#parseWords(this.#words, role)
    const weak = placed.length > 0 ? (await this.#parseWords(placed, role)).given : {}
    const { config, 'env-file': envFile, ...given } = own.given
    const sources = readSources({ ...weak, ...given }, { config: textOf(config), envFile: textOf(envFile) })
    const resolved = resolveSettings(role, sources)
    return {
      resolved,
      settings: resolved.values,
      actions: own.given,
      args: own.args,
      warnings: [...own.warnings, ...resolved.warnings],
      files: sourceFiles(sources),
    }
  }

  async #parseWords(argv: readonly string[], role: Role) {
    const { flags, baseFlags, args, enableJsonFlag, strict } = this.ctor
    const spelled = respell(argv, role, Object.keys(args).length === 0)
    const known = { ...baseFlags, ...flags }
    try {
      const own = { flags: commandLineOnly(flags ?? {}), baseFlags: commandLineOnly(baseFlags ?? {}) }
      const parsed = await this.parse({ ...own, args, enableJsonFlag, strict }, [...spelled.argv])
      this.argv = [...this.#words]
      const given: GivenFlags = { ...spelled.switches }
      for (const token of parsed.raw) {
        if (token.type !== 'flag') continue
        const flag = known[token.flag]
        if (flag?.type === 'boolean') given[token.flag] = !isNegation(token.flag, token.input)
        else if (flag?.multiple) given[token.flag] = [...listOf(given[token.flag]), token.input]
        else given[token.flag] = token.input
      }
      return { given, args: parsed.args as Record<string, unknown>, warnings: spelled.warnings }
    } catch (error) {
      this.argv = [...this.#words]
      throw usageError(error, [...Object.keys(known), 'json', 'help'])
    }
  }

  /** Prints the settings with their sources. @returns the document `--json` prints. */
  protected printConfig(resolved: Resolved<keyof RoleSettings>): unknown {
    const printed = printSettings(resolved)
    this.log(
      formatTable(
        printed.map(({ name, value, source }) => [
          name,
          formatValue(name as SettingName, value),
          `← ${source}`,
        ]),
      ),
    )
    return { settings: printed }
  }

  /** One line each on stderr; silent under --json, whose stderr stays empty. */
  protected printWarnings(warnings: readonly string[]): void {
    for (const warning of warnings) this.logToStderr(`Warning: ${warning}`)
  }

  /** The one place that turns an error into words and a status. A bug keeps its stack. */
  protected override async catch(thrown: Error): Promise<never> {
    if (thrown instanceof Errors.ExitError) throw thrown
    const error = isAbort(thrown) ? interrupted(thrown) : thrown
    const status = exitStatus(error)
    if (this.jsonEnabled()) this.logJson(this.toErrorJson(error))
    else if (error instanceof TargonError) writeError(error)
    else
      process.stderr.write(
        `Error [DEFECT]: this is a defect of targon. ${REPORT}\n${escapeControlsInLines(error.stack ?? error.message)}\n`,
      )
    throw new Errors.ExitError(status)
  }

  protected override logJson(document: unknown): void {
    writeJson(document)
  }

  protected override toErrorJson(error: unknown): unknown {
    if (error instanceof TargonError) return errorDocument(error)
    const message = error instanceof Error ? error.message : String(error)
    return { error: { code: 'DEFECT', message, next: REPORT, exitStatus: exitStatus(error) } }
  }
}

function textOf(value: GivenFlags[string] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function listOf(value: GivenFlags[string] | undefined): readonly string[] {
  return Array.isArray(value) ? value : []
}

function isNegation(name: string, written: string): boolean {
  return written === `--no-${name}`
}

/** A command that was stopped before it was done; roles that drain end well and never come here. */
function interrupted(cause: Error): TargonError {
  return new TargonError(
    'The command was stopped before it was done.',
    { code: 'INTERRUPTED', fault: 'runtime', next: 'Run it again.' },
    { cause },
  )
}

/** `targon … | head -1`: the reader has gone, nobody is left to tell. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}
