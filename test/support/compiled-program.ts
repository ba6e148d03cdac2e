import { inject } from 'vitest'

const root = new URL('../../', import.meta.url).href

/** URL of the compiled copy of a module of the project, for programs that tests start. @param module the TypeScript file */
export function compiledUrl(module: URL): string {
  return module.href.replace(root, inject('compiledSource')).replace(/\.ts$/, '.js')
}
