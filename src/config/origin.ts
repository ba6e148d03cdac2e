/** The source of a value. */
export type Origin =
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'env-file'; readonly file: string; readonly line: number; readonly name: string }
  | { readonly kind: 'config-file'; readonly file: string; readonly line: number; readonly key: string }
  | { readonly kind: 'default' }

/** Short form for `--print-config` and messages. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'flag':
      return `--${origin.name}`
    case 'variable':
      return origin.name
    case 'env-file':
      return `${origin.name} (${origin.file}:${origin.line})`
    case 'config-file':
      return `${origin.key} (${origin.file}:${origin.line})`
    case 'default':
      return 'default'
  }
}

/** The strength of a source, strongest first; our own variables come before those of the SDK. */
export function rankOf(origin: Origin): number {
  const kinds = ['flag', 'variable', 'env-file', 'config-file', 'default']
  const isOfSdk = 'name' in origin && origin.name.startsWith('BT_')
  return kinds.indexOf(origin.kind) * 2 + (isOfSdk ? 1 : 0)
}
