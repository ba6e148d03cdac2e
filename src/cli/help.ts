import { type Command, CommandHelp, Help, type Interfaces } from '@oclif/core'
import { firstSettings, type Role, type SettingName } from '../config/index.js'

/** The flag that shows every flag of a command; `--help` starts with those that most operators need. */
const HELP_ALL = '--help-all'

/** Commands with more flags than anyone reads at once, by id. */
const ROLES: Readonly<Record<string, readonly Role[]>> = {
  'miner start': ['miner'],
  'validator start': ['validator'],
  query: ['query'],
  'hub start': ['hub'],
  localnet: ['localnet'],
  doctor: ['miner', 'validator', 'hub'],
  init: ['miner', 'validator', 'hub'],
}

/** oclif's help, which `package.json` names as `helpClass`. Everything but `--help` itself, such as docs/commands, shows every flag. */
export class TargonHelp extends Help {
  #isShort = false
  #isTopSummary = false

  override async showHelp(argv: string[]): Promise<void> {
    this.#isShort = !argv.includes(HELP_ALL)
    await super.showHelp(argv.filter((word) => word !== HELP_ALL))
  }

  override async showCommandHelp(command: Command.Loadable): Promise<void> {
    this.#isTopSummary = true
    await super.showCommandHelp(command)
  }

  /** oclif does not wrap the sentence above the help of a command; in a list of commands it does. */
  protected override summary(command: Command.Loadable): string | undefined {
    const summary = super.summary(command)
    const isTop = this.#isTopSummary
    this.#isTopSummary = false
    return isTop && summary !== undefined ? this.wrap(summary, 0) : summary
  }

  protected override getCommandHelpClass(command: Command.Loadable): CommandHelp {
    const roles = this.#isShort ? ROLES[command.id.replaceAll(':', ' ')] : undefined
    if (roles === undefined) return super.getCommandHelpClass(command)
    const first = new Set(roles.flatMap((role) => firstSettings(role)))
    return new ShortHelp(command, this.config, this.opts, [...first])
  }
}

type Flag = Command.Flag.Any

class ShortHelp extends CommandHelp {
  readonly #first: readonly SettingName[]

  constructor(
    command: Command.Loadable,
    config: Interfaces.Config,
    opts: Interfaces.HelpOptions,
    first: readonly SettingName[],
  ) {
    // oclif wraps lists two columns too late.
    super(command, config, { ...opts, maxWidth: opts.maxWidth - 2 })
    this.#first = first
  }

  /** The chosen settings in their order, after the flags that are no settings; those of every command stay a group. */
  protected override groupFlags(flags: Flag[]): ReturnType<CommandHelp['groupFlags']> {
    const byName = new Map(flags.map((flag) => [flag.name, flag]))
    const chosen = this.#first.flatMap((name) => byName.get(name) ?? [])
    const isAction = ({ env, helpGroup }: Flag) => env === undefined && helpGroup !== 'GLOBAL'
    return {
      mainFlags: [...flags.filter(isAction), ...chosen],
      flagGroups: { GLOBAL: flags.filter(({ helpGroup }) => helpGroup === 'GLOBAL') },
    }
  }

  /** Without the variables, which follow from the names and would take a third of the room. */
  protected override flags(flags: Flag[]): ReturnType<CommandHelp['flags']> {
    return super.flags(flags.map(({ env: _, ...flag }) => flag as Flag))
  }

  protected override sections(): ReturnType<CommandHelp['sections']> {
    const sections = super.sections()
    const after = sections.findIndex(({ header }) => header === 'FLAGS') + 1
    const more = { header: 'MORE FLAGS', generate: () => this.wrap(this.#describeRest()) }
    return [...sections.slice(0, after), more, ...sections.slice(after)]
  }

  #describeRest(): string {
    const flags = Object.values(this.command.flags).filter(({ hidden }) => !hidden)
    const { mainFlags, flagGroups } = this.groupFlags(flags as Flag[])
    const shown = mainFlags.length + Object.values(flagGroups).flat().length
    return `${flags.length - shown} more: ${this.config.bin} ${this.command.id} ${HELP_ALL}. docs/settings.md describes every setting, its variable and its key.`
  }
}
