/** Applies the newest release in a separate process that a test can kill. Argument: JSON of the context's paths. */
import { applyUpdate, findOffer, layoutOf, withUpdateLock } from '../../src/autoupdate/index.js'
import { systemClock } from '../../src/kernel/clock.js'

const { root, url, signersFile, runningVersion, launcher } = JSON.parse(process.argv[2] ?? '{}') as Record<
  string,
  string
>
const context = {
  layout: layoutOf(root ?? ''),
  url: url ?? '',
  signersFile,
  bundledSignersFile: '',
  checkout: undefined,
  runningVersion: runningVersion ?? '0.0.0',
  nodeVersion: process.versions.node,
  nodePath: process.execPath,
  channel: 'stable' as const,
  env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' },
  clock: systemClock,
  signal: new AbortController().signal,
  onProgress: (step: string) => console.log(step),
}
await withUpdateLock(context, async (locked) => {
  const offer = await findOffer(locked)
  if (offer.kind === 'available')
    console.log((await applyUpdate(locked, offer.verified, launcher ?? '')).kind)
  else console.log(offer.kind)
})
