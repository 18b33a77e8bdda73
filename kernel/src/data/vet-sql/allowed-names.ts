// The functions, operators and types a report may use. Everything else is refused, also when it looks harmless.
// Left out although ordinary: lpad, rpad, repeat, format (one call makes a text of 1 GB) and random (a report
// run twice gives the same figures). No function here runs SQL, reads settings, sleeps, locks or touches files.

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** May stand in FROM; the only functions that return more than one row. */
export const setFunctions: ReadonlySet<string> = new Set(words('generate_series unnest string_to_table'))

export const functions: ReadonlySet<string> = new Set([
  ...setFunctions,
  ...words(`
    count sum avg min max bool_and bool_or every string_agg array_agg json_agg jsonb_agg json_object_agg
    jsonb_object_agg percentile_cont percentile_disc mode stddev stddev_pop stddev_samp variance var_pop var_samp
    corr covar_pop covar_samp regr_slope regr_intercept regr_r2 any_value
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value`),
  ...words(`
    abs sign round trunc ceil ceiling floor mod div sqrt power exp ln log width_bucket num_nulls num_nonnulls`),
  ...words(`
    length char_length character_length octet_length lower upper initcap trim btrim ltrim rtrim left right substr
    substring position strpos split_part concat concat_ws starts_with replace translate reverse md5 to_char
    to_number`),
  ...words(`
    extract date_part date_trunc date_bin age now to_date to_timestamp make_date make_time make_timestamp
    make_timestamptz make_interval justify_days justify_hours justify_interval isfinite timezone overlaps`),
  ...words(`
    array_length array_position array_to_string array_append array_remove cardinality string_to_array
    json_build_object jsonb_build_object json_build_array jsonb_build_array to_json to_jsonb row_to_json`),
])

export const operators: ReadonlySet<string> = new Set([
  ...words('= <> < <= > >= + - * / % ^ || ~~ !~~ ~~* !~~* ~ ~* !~ !~* && @> <@ -> ->>'),
  ...['BETWEEN', 'NOT BETWEEN', 'BETWEEN SYMMETRIC', 'NOT BETWEEN SYMMETRIC'],
])

export const types: ReadonlySet<string> = new Set(
  words(`bool int2 int4 int8 numeric float4 float8 text varchar bpchar char uuid json jsonb date time timetz
    timestamp timestamptz interval`),
)
