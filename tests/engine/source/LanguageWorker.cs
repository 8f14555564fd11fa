using System.Text;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace DurableEngine;

/// <summary>The language worker at the other end of HTTP: a POST of a trigger's JSON, answered with the function's JSON.</summary>
public static class LanguageWorker
{
    // Strings that look like dates stay strings, as between the Functions host and its workers.
    private static readonly JsonSerializerSettings Verbatim = new() { DateParseHandling = DateParseHandling.None };

    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private static string address;

    public static void Use(string url) => address = url.TrimEnd('/');

    /// <summary>What orchestrators and entities return: the extension takes any object.</summary>
    public static async Task<object> Call(string kind, string name, string trigger) =>
        await Ask(kind, name, trigger).ConfigureAwait(false);

    /// <summary>What activities return: JSON as it is.</summary>
    public static async Task<JToken> CallActivity(string kind, string name, string trigger) =>
        await Ask(kind, name, trigger).ConfigureAwait(false);

    private static async Task<JToken> Ask(string kind, string name, string trigger)
    {
        using var request = new StringContent(trigger ?? "null", Encoding.UTF8, "application/json");
        using var response = await Client.PostAsync($"{address}/{kind}/{name}", request).ConfigureAwait(false);
        string body = await response.Content.ReadAsStringAsync().ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            // The worker words it as the Functions host would, and the extension reads it so.
            throw new Exception(body);
        }

        return body.Length == 0 ? null : JsonConvert.DeserializeObject<JToken>(body, Verbatim);
    }
}
