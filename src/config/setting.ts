import type { z } from 'zod'

/** Commands that have settings. */
export type Role = 'miner' | 'miner check' | 'validator' | 'verify' | 'query' | 'hub' | 'update' | 'localnet'

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
  | 'HUB'
  | 'UPDATE'
  | 'LOCALNET'
  | 'ALERT'

/** Units of durations. */
export type DurationUnit = 'ms' | 's' | 'd'

export type Unit = DurationUnit | 'blocks' | 'tokens' | 'tokens/s' | 'bytes' | 'TAO'

/**
 * One setting: flag, environment variable, config-file key, type, default and documentation in one place.
 * The variable is derived from the name: `wallet.name` → `TARGON_WALLET_NAME`.
 */
export interface Setting<S extends z.ZodType = z.ZodType> {
  /** Parses the text of a flag or variable, or a value from the config file. */
  readonly schema: S
  /** What is typed on the command line. */
  readonly kind: 'text' | 'path' | 'integer' | 'number' | 'duration' | 'switch' | 'list'
  /** Unit of the value, shown behind it; of a duration also the unit of a bare number. */
  readonly unit?: Unit
  /** Bounds of a duration, in its unit. */
  readonly range?: { readonly min: number; readonly max: number }
  /** Value when no source sets it. */
  readonly default: z.output<S>
  /** Defaults of roles that differ. */
  readonly defaultOf?: Readonly<Partial<Record<Role, z.output<S>>>>
  /** The default in words, where the value itself says too little. */
  readonly defaultText?: string
  readonly group: SettingGroup
  readonly roles: readonly Role[]
  readonly help: string
  /** Help for a role where the meaning differs; the flag is then listed under that role. */
  readonly helpOf?: Readonly<Partial<Record<Role, string>>>
  readonly secret?: boolean
  /** A path relative to the state folder, not to the working directory. */
  readonly withinState?: boolean
  /** Allowed words, shown in the help. */
  readonly options?: readonly string[]
  /** Words allowed in addition to other values; used for suggestions. */
  readonly words?: readonly string[]
  /** Old spellings of the flag, accepted with a warning that names the current one. */
  readonly aliases?: readonly string[]
  /** Old spellings of the flag with the opposite meaning; switches only. */
  readonly inverseAliases?: readonly string[]
  /** Further variables read after TARGON_*, in order (the BT_* names of the SDK, legacy names). */
  readonly variables?: readonly string[]
  /** Legacy variables read last, accepted with a warning. */
  readonly deprecatedVariables?: readonly string[]
  /** Variables with the opposite meaning, read last; switches only. */
  readonly inverseVariables?: readonly string[]
  /** A switch that is on if any source turns it on, regardless of precedence (`autoupdate-off`). */
  readonly anySource?: boolean
  /** Accepted for compatibility; setting it only produces a warning. */
  readonly ineffective?: boolean
  /** Other roles that accept the flag with a warning and ignore it: in 4.x all neurons shared it. */
  readonly ignoredBy?: readonly Role[]
  /** Not shown in help, docs/settings.md and .env.example. */
  readonly hidden?: boolean
}

type Definition<S extends z.ZodType> = Omit<Setting<S>, 'group' | 'roles'> & Partial<Pick<Setting, 'roles'>>

/** A function that defines settings of one group; they belong to `roles` unless a definition names its own. */
export function settingIn(group: SettingGroup, roles: readonly Role[]) {
  return <S extends z.ZodType>(definition: Definition<S>): Setting<S> => ({ group, roles, ...definition })
}

/** The default for a role. */
export function defaultFor(entry: Setting, role: Role): unknown {
  return entry.defaultOf?.[role] ?? entry.default
}
