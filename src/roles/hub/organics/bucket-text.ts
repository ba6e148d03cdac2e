import type { Bucket, Buckets } from './buckets.js'

/**
 * The answer to POST /organics, piece by piece: a whole bucket may have 48 MiB, so only one row at a time is in memory. Rows
 * of models that this validator did not ask for, and rows that expire meanwhile, are left out.
 */
export async function* bucketText(
  bucket: Bucket,
  buckets: Pick<Buckets, 'read'>,
  models: readonly string[],
): AsyncGenerator<string | Buffer> {
  yield `{"bucket_id":${JSON.stringify(bucket.id)},"organics":{`
  let isFirstModel = true
  for (const model of new Set(models)) {
    const rows = bucket.rows.filter((row) => row.model === model)
    if (rows.length === 0) continue
    yield `${isFirstModel ? '' : ','}${JSON.stringify(model)}:[`
    isFirstModel = false
    let isFirstRow = true
    for (const row of rows) {
      const text = await buckets.read(row)
      if (text === undefined) continue
      if (!isFirstRow) yield ','
      yield text
      isFirstRow = false
    }
    yield ']'
  }
  yield '}}'
}
