/** Whose page it is; each has a file of sections and a script of this name. */
export type PageRole = 'validator' | 'miner' | 'hub' | 'localnet'

interface Skeleton {
  readonly heading: string
  /** Id and name of the section that the first link of the page skips to. */
  readonly skipTo: string
  readonly skipName: string
  /** Where programs find what the page shows. */
  readonly paths: readonly string[]
}

const SKELETONS: Readonly<Record<PageRole, Skeleton>> = {
  validator: {
    ...{ heading: 'Validator', skipTo: 'board', skipName: 'board' },
    paths: ['/status', '/rounds', '/metrics'],
  },
  miner: {
    ...{ heading: 'Miner', skipTo: 'traffic', skipName: 'requests' },
    paths: ['/status', '/series', '/metrics'],
  },
  hub: {
    ...{ heading: 'Hub', skipTo: 'traffic', skipName: 'requests' },
    paths: ['/status', '/series', '/metrics'],
  },
  localnet: { ...{ heading: 'Localnet', skipTo: 'miners', skipName: 'miners' }, paths: ['/status'] },
}

/**
 * The HTML of a page.
 *
 * @param frame what all pages have in common, with the names of what differs in double braces
 * @param sections those of the role
 */
export function renderPage(role: PageRole, frame: string, sections: string): string {
  const { paths, ...texts } = SKELETONS[role]
  const links = paths.map((path) => `<a href="${path}">${path}</a>`).join(', ')
  const values: Readonly<Record<string, string>> = { ...texts, role, sections, paths: links }
  return frame.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`page.html names ${name}, which pages do not have`)
    return value
  })
}
