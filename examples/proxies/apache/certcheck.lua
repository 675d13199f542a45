-- Asks certcheck about the client of each request. Every failure is a refusal.
require "apache2"
local http = require "socket.http"

local file = assert(io.open("secret"), "the file secret cannot be read")
local secret = file:read("l")
file:close()

function check(r)
    -- What a client says about itself, in any spelling that a service could take for X-Client-Subject or X-Client-User.
    for name in pairs(r:headers_in_table()) do
        if name:lower():match("^x[^%w]client[^%w]") then r.headers_in[name] = nil end
    end
    local certificate = r:ssl_var_lookup("SSL_CLIENT_CERT")
    if not certificate or certificate == "" then return 401 end
    local escaped = certificate:gsub("[^%w]", function(sign) return ("%%%02X"):format(sign:byte()) end)
    http.TIMEOUT = 2
    local answered, status, headers = http.request({
        url = "http://127.0.0.1:8700/v1/auth/apache",
        headers = { ["X-Client-Cert"] = escaped, ["X-Certcheck-Secret"] = secret },
    })
    if not answered or status ~= 200 then return 403 end
    r.headers_in["X-Client-Subject"] = headers["x-client-subject"]
    r.headers_in["X-Client-User"] = headers["x-client-user"]
    return apache2.OK
end
