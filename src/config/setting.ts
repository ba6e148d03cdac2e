import type { z } from 'zod'

/** Commands a setting belongs to. */
export type Role = 'miner' | 'validator' | 'query' | 'update' | 'localnet'

export type SettingGroup =
  | 'CHAIN'
  | 'WALLET'
  | 'AXON'
  | 'LOGGING'
  | 'MINER'
  | 'ROUTING'
  | 'VALIDATOR'
  | 'ENGINE'
  | 'PROCESS'
  | 'QUERY'
  | 'UPDATE'
  | 'LOCALNET'

/**
 * One setting: its flag, environment variable, config-file key, type, default and documentation in one place.
 * The variable is derived: `wallet.name` → `TARGON_WALLET_NAME`.
 */
export interface Setting<S extends z.ZodType = z.ZodType> {
  /** Parses the text of a flag or variable, or a value of the config file. */
  readonly schema: S
  /** How the flag is typed on the command line. */
  readonly kind: 'text' | 'path' | 'integer' | 'number' | 'switch' | 'list'
  /** What an absent flag, variable and key mean. */
  readonly default: z.output<S>
  /** Where a role has another default. */
  readonly defaultOf?: Readonly<Partial<Record<Role, z.output<S>>>>
  /** Default as the help shows it when the value itself would mislead. */
  readonly defaultText?: string
  readonly group: SettingGroup
  readonly roles: readonly Role[]
  readonly help: string
  /** What it means for a role where that differs; then it is listed with the role's own settings. */
  readonly helpOf?: Readonly<Partial<Record<Role, string>>>
  readonly secret?: boolean
  /** A path that is relative to the neuron's folder, not to the working directory. */
  readonly withinState?: boolean
  /** Allowed words, shown in the help. */
  readonly options?: readonly string[]
  /** Words that are allowed beside other values; for suggestions. */
  readonly words?: readonly string[]
  /** Old or wrong spellings of the flag, accepted with a warning that names the right one. */
  readonly aliases?: readonly string[]
  /** Old spellings of the flag with the opposite meaning; switches only. */
  readonly inverseAliases?: readonly string[]
  /** Further variables read after TARGON_*, in order (the BT_* names of the SDK, legacy names). */
  readonly variables?: readonly string[]
  /** Legacy variables read last, accepted with a warning. */
  readonly deprecatedVariables?: readonly string[]
  /** Variables with the opposite meaning, read last; switches only. */
  readonly inverseVariables?: readonly string[]
  /** A switch that is on as soon as one source says so, whatever the precedence ("off" wins, for `autoupdate-off`). */
  readonly anySource?: boolean
  /** Accepted for compatibility: giving it does nothing but warn. */
  readonly ineffective?: boolean
  /** Not shown in help, README and .env.example. */
  readonly hidden?: boolean
}

/** Keeps the literal type of the schema while checking the shape. */
export function setting<S extends z.ZodType>(definition: Setting<S>): Setting<S> {
  return definition
}

/** What an absent setting means for a role. */
export function defaultFor(entry: Setting, role: Role): unknown {
  return entry.defaultOf?.[role] ?? entry.default
}
