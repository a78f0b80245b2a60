import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.LinkedHashMap;
import java.util.Map;

/** A function on AWS's runtime client for Java: it does what the event asks for. */
public class Client implements RequestHandler<Map<String, Object>, Object> {
    public Client() {
        if ("init".equals(System.getenv("MODE"))) {
            throw new IllegalStateException("bad init");
        }
    }

    @Override
    public Object handleRequest(Map<String, Object> event, Context context) {
        if ("throw".equals(event.get("do"))) {
            throw new IllegalStateException("boom");
        }
        if ("context".equals(event.get("do"))) {
            Map<String, Object> out = new LinkedHashMap<>();
            out.put("request", context.getAwsRequestId());
            out.put("arn", context.getInvokedFunctionArn());
            out.put("client", context.getClientContext().getCustom());
            out.put("identity", context.getIdentity().getIdentityId());
            out.put("tenant", context.getTenantId());
            return out;
        }
        return event.get("value");
    }
}
