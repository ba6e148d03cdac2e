/** Organics: users' requests with the miners' answers, kept for a while, sampled into buckets and handed to validators. */
export type { OrganicRecord, OrganicStore, ReportedVerdict } from './types.js'
