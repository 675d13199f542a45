-- Asks certcheck about the client of each request. Every failure is a refusal: txn.certcheck_status is then not 200.
local file = assert(io.open("secret"), "the file secret cannot be read")
local secret = file:read("l")
file:close()

core.register_action("certcheck", { "http-req" }, function(txn)
    txn:set_var("txn.certcheck_status", "none")
    -- A resumed session has the client's certificate, and no chain.
    local certificate = txn.f:ssl_c_der()
    if not certificate then return end
    local chain = txn.f:ssl_c_chain_der()
    local answer = core.httpclient():get({
        url = "http://127.0.0.1:8700/v1/auth/haproxy",
        timeout = 2000,
        headers = {
            ["x-certcheck-secret"] = { secret },
            ["x-ssl-client-cert"] = { txn.c:base64(certificate) },
            ["x-ssl-client-chain"] = { chain and txn.c:base64(chain) or "" },
        },
    })
    if not answer or not answer.status then return end
    local function header(name)
        local values = answer.headers and answer.headers[name]
        return values and values[0] or ""
    end
    txn:set_var("txn.certcheck_status", tostring(answer.status))
    txn:set_var("txn.certcheck_subject", header("x-client-subject"))
    txn:set_var("txn.certcheck_user", header("x-client-user"))
end, 0)
