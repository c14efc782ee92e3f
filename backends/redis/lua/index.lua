-- unindex takes finished records out of all indexes but the one of all ids, and out of the totals. It reads what they were from
-- their rows; of one that cannot be read only the status is found, by trying the indexes.
local function unindex(ids, rows)
  local gone, totals = {}, {}
  local function minus(field, n) totals[field] = (totals[field] or 0) - n end
  local function text(v) return type(v) == 'string' and v or '' end
  for i = 1, #ids do
    local id, row = ids[i], rows[i]
    local ok, r = false, nil
    if row then ok, r = pcall(cjson.decode, row:match('^[^\n]*')) end
    if ok and type(r) == 'table' then
      add(gone, 'index:status:' .. text(r.status), id)
      add(gone, 'index:name:' .. text(r.func_name), id)
      add(gone, 'index:source:' .. text(r.source), id)
      if type(r.tags) == 'table' then
        for key, value in pairs(r.tags) do
          add(gone, 'index:tag:' .. key, id)
          if value ~= '' then add(gone, 'index:value:' .. frame(key) .. text(value), id) end
        end
      end
      minus('status:' .. text(r.status), 1)
      if r._bucket then
        minus('bucket:' .. r._bucket, 1)
        minus('micros', tonumber(r._micros) or 0)
      end
    elseif row then
      local was = 'status:success' -- which has no index
      for _, field in ipairs(redis.call('HKEYS', base .. 'totals')) do
        local status = field:match('^status:(.*)')
        if status and redis.call('ZREM', base .. 'index:status:' .. status, id) == 1 then was = field end
      end
      minus(was, 1)
    end
  end
  for key, list in pairs(gone) do bulk('ZREM', key, list) end
  for field, n in pairs(totals) do count(field, n) end
end
