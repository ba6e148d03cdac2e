import { readFileSync } from 'node:fs'

/** Protocol version this node speaks (4.4.1 targon/__init__.py): major·100000 + minor·1000 + patch·10. */
export const SPEC_VERSION = 404010

/** Version of this package, from the package.json beside `dist` or `src`. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { readonly version: string }
  return version
}
