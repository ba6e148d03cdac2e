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
import {
  allowDistantHosts,
  escapeControlsInLines,
  isAbort,
  maskPasswords,
  messageOf,
  TargonError,
} from '../kernel/index.js'
import { exitStatus } from './exit-status.js'
import { commandLineOnly } from './flags.js'
import { type StartNetworkAround, type SurroundingNetwork, serveMocked } from './mock.js'
import { errorDocument, ISSUES_URL, writeError, writeJson } from './output.js'
import { respell } from './spelling.js'
import { writeToStandardError } from './standard-error.js'
import { formatTable } from './table.js'
import { usageError } from './usage-error.js'

const REPORT = `Please report it with the stack trace at ${ISSUES_URL}.`

type GivenFlags = Record<string, string | boolean | readonly string[]>

/** A parsed command line. */
export interface Invocation<R extends keyof RoleSettings> {
  readonly resolved: Resolved<R>
  readonly settings: RoleSettings[R]
  /** Flags that are not settings (`--list`, `--json`, …). */
  readonly actions: Readonly<Record<string, unknown>>
  readonly args: Readonly<Record<string, unknown>>
  /** Sentences about deprecated spellings, settings without effect and exposed secrets. */
  readonly warnings: readonly string[]
  /** Called once they are in the log; otherwise they are printed when the command fails. */
  readonly onWarned: () => void
  /** Absolute paths of the files that settings are read from, including those that do not exist yet. */
  readonly files: readonly string[]
}

/** Base of all commands: reads the settings, prints errors and sets the exit status. */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true

  static override baseFlags: Interfaces.FlagInput = {
    config: Flags.string({
      summary: 'JSON or YAML file with settings; its keys are flag names.',
      helpGroup: 'GLOBAL',
      helpValue: '<file>',
      env: 'TARGON_CONFIG',
      defaultHelp: async () => 'targon.config.json, .yaml or .yml if it exists',
    }),
    'env-file': Flags.string({
      summary: 'Additional file of variables, read after .env.',
      helpGroup: 'GLOBAL',
      helpValue: '<file>',
      env: 'TARGON_ENV_FILE',
    }),
    'print-config': Flags.boolean({
      summary: 'Print every setting with its source (secrets masked) and exit.',
      helpGroup: 'GLOBAL',
    }),
  }

  /** The command line as typed; oclif replaces `argv` when it parses. */
  #typed: readonly string[] = []
  /** Warnings that the user has not seen yet. */
  #warnings: string[] = []

  override async init(): Promise<void> {
    this.#typed = [...this.argv]
    await super.init()
    allowDistantHosts()
    if (!process.stdout.listeners('error').includes(exitOnClosedPipe))
      process.stdout.on('error', exitOnClosedPipe)
  }

  /** Reads the command line and runs `work`, or prints the settings with --print-config. */
  protected async runWith<R extends keyof RoleSettings & Role>(
    role: R,
    work: (invocation: Invocation<R>) => Promise<unknown>,
  ): Promise<unknown> {
    const invocation = await this.readInvocation(role)
    this.#printPendingWarnings()
    if (invocation.actions['print-config'] === true) return this.#printConfig(invocation)
    return await work(invocation)
  }

  /** Runs a role that serves until it is stopped. Warnings are left to its log. */
  protected async runServer<R extends keyof RoleSettings & Role>(
    role: R,
    serve: (invocation: Invocation<R>) => Promise<unknown>,
  ): Promise<unknown> {
    const invocation = await this.readInvocation(role)
    if (invocation.actions['print-config'] !== true) return await serve(invocation)
    this.#printPendingWarnings()
    return this.#printConfig(invocation)
  }

  /**
   * Runs a neuron, with --mock inside an embedded network. Warnings are left to the log of the neuron.
   *
   * @param loadNetwork loads localnet/ only for --mock; cli/ does not import it.
   */
  protected async runNeuron<R extends 'miner' | 'validator' | 'hub'>(
    role: R,
    loadNetwork: () => Promise<StartNetworkAround>,
    serve: (invocation: Invocation<R>, network?: SurroundingNetwork) => Promise<unknown>,
  ): Promise<unknown> {
    return await this.runServer(role, async (invocation) => {
      const { settings } = invocation
      if (!settings.mock) return await serve(invocation)
      return await serveMocked(
        role,
        await loadNetwork(),
        {
          seed: 'seed' in settings ? settings.seed : undefined,
          hubPort: 'hub.port' in settings ? settings['hub.port'] : undefined,
          exitWithStdin: settings['exit-with-stdin'],
        },
        (line) => this.logToStderr(line),
        async (network) => serve(await this.readInvocation(role, network.arguments), network),
      )
    })
  }

  /**
   * Parses the command line and resolves the settings of the role.
   *
   * @param networkFlags flags that place the role in an embedded network; the operator's own flags override them.
   */
  protected async readInvocation<R extends keyof RoleSettings & Role>(
    role: R,
    networkFlags: readonly string[] = [],
  ): Promise<Invocation<R>> {
    const warnings: string[] = []
    this.#warnings = warnings
    const typed = await this.#parse(this.#typed, role)
    warnings.push(...typed.warnings)
    const weak = networkFlags.length > 0 ? (await this.#parse(networkFlags, role)).given : {}
    const { config, 'env-file': envFile, ...given } = typed.given
    const sources = readSources({ ...weak, ...given }, { config: textOf(config), envFile: textOf(envFile) })
    const resolved = resolveSettings(role, sources, warnings)
    return {
      resolved,
      settings: resolved.values,
      actions: typed.given,
      args: typed.args,
      warnings: [...warnings],
      onWarned: () => {
        warnings.length = 0
      },
      files: sourceFiles(sources),
    }
  }

  async #parse(argv: readonly string[], role: Role) {
    const { flags, baseFlags, args, enableJsonFlag, strict } = this.ctor
    const spelled = respell(argv, role, Object.keys(args).length === 0)
    const known = { ...baseFlags, ...flags }
    try {
      const bare = { flags: commandLineOnly(flags ?? {}), baseFlags: commandLineOnly(baseFlags ?? {}) }
      const parsed = await this.parse({ ...bare, args, enableJsonFlag, strict }, [...spelled.argv])
      this.argv = [...this.#typed]
      const given: GivenFlags = { ...spelled.switches }
      for (const token of parsed.raw) {
        if (token.type !== 'flag') continue
        const flag = known[token.flag]
        if (flag?.type === 'boolean') given[token.flag] = !isNegated(token.flag, token.input)
        else if (flag?.multiple) given[token.flag] = [...listOf(given[token.flag]), token.input]
        else given[token.flag] = token.input
      }
      return { given, args: parsed.args as Record<string, unknown>, warnings: spelled.warnings }
    } catch (error) {
      this.argv = [...this.#typed]
      throw usageError(error, [...Object.keys(known), 'json', 'help', 'help-all'])
    }
  }

  /** Prints the settings with their sources. @returns the document that `--json` prints. */
  #printConfig({ resolved, warnings }: Invocation<keyof RoleSettings>): unknown {
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
    return { settings: printed, ...(warnings.length > 0 ? { warnings: warnings.map(maskPasswords) } : {}) }
  }

  #printPendingWarnings(): void {
    this.printWarnings(this.#warnings.splice(0))
  }

  /** Prints one line each on stderr; nothing with --json. */
  protected printWarnings(warnings: readonly string[]): void {
    for (const warning of warnings) this.logToStderr(`Warning: ${warning}`)
  }

  /** Prints an error and sets the exit status. An unexpected error is a bug and keeps its stack. */
  protected override async catch(thrown: Error): Promise<never> {
    if (thrown instanceof Errors.ExitError) throw thrown
    const error = isAbort(thrown) ? interrupted(thrown) : thrown
    const status = exitStatus(error)
    this.#printPendingWarnings()
    if (this.jsonEnabled()) this.logJson(this.toErrorJson(error))
    else if (error instanceof TargonError) writeError(error)
    else
      writeToStandardError(
        `Error [DEFECT]: this is a bug in targon. ${REPORT}\n${escapeControlsInLines(error.stack ?? messageOf(error))}\n`,
      )
    throw new Errors.ExitError(status)
  }

  override logToStderr(message = ''): void {
    if (this.jsonEnabled()) return
    writeToStandardError(`${message}\n`)
  }

  protected override logJson(document: unknown): void {
    writeJson(document)
  }

  protected override toErrorJson(error: unknown): unknown {
    if (error instanceof TargonError) return errorDocument(error)
    const message = messageOf(error)
    return { error: { code: 'DEFECT', message, next: REPORT, exitStatus: exitStatus(error) } }
  }
}

function textOf(value: GivenFlags[string] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function listOf(value: GivenFlags[string] | undefined): readonly string[] {
  return Array.isArray(value) ? value : []
}

function isNegated(name: string, typed: string): boolean {
  return typed === `--no-${name}`
}

/** For commands stopped early; a neuron that drains ends normally. */
function interrupted(cause: Error): TargonError {
  return new TargonError(
    'The command was interrupted before it finished.',
    { code: 'INTERRUPTED', fault: 'runtime', next: 'Run it again.' },
    { cause },
  )
}

/** Exits silently if the reader of stdout has closed it (`targon … | head -1`). */
function exitOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}
