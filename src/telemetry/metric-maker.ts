import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Buckets of durations in seconds. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]

/** Makes the metrics of one registry. */
export type Maker = ReturnType<typeof maker>

export function maker(registry: Registry) {
  const registers = [registry]
  return {
    gauge: <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Gauge<L>({ name, help, labelNames: [...labelNames], registers }),
    /** @param total read at every scrape, of a counter that is kept elsewhere. */
    counter: <L extends string = never>(
      name: string,
      help: string,
      labelNames: readonly L[] = [],
      total?: () => number,
    ) =>
      new Counter<L>({
        ...{ name, help, labelNames: [...labelNames], registers },
        ...(total && {
          collect() {
            this.reset()
            this.inc(total())
          },
        }),
      }),
    histogram: <L extends string = never>(
      name: string,
      help: string,
      buckets: readonly number[],
      labelNames: readonly L[] = [],
    ) => new Histogram<L>({ name, help, buckets: [...buckets], labelNames: [...labelNames], registers }),
  }
}
