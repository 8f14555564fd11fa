using System.Globalization;
using System.Text;
using DurableEngine;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Extensions.DurableTask;
using Microsoft.Azure.WebJobs.Host.Config;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Newtonsoft.Json.Linq;

const string Section = "AzureWebJobs:extensions:durableTask";

if (args.Length < 3)
{
    Console.Error.WriteLine("durable-engine HOST_JSON FUNCTIONS_JSON WORKER_URL [name=value ...]");
    return 2;
}

Console.SetOut(new QuietConsole(Console.Out));
LanguageWorker.Use(args[2]);
Type functions = FunctionTypes.Make(JObject.Parse(File.ReadAllText(args[1])));

var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
Flatten(JObject.Parse(File.ReadAllText(args[0])).SelectToken("extensions.durableTask"), Section, settings);
foreach (string pair in args.Skip(3))
{
    string[] parts = pair.Split('=', 2);
    settings[$"{Section}:{parts[0]}"] = parts[1];
}

bool leveled = Enum.TryParse(Environment.GetEnvironmentVariable("ENGINE_LOG"), true, out LogLevel level);
using IHost host = new HostBuilder()
    .ConfigureAppConfiguration(configuration => configuration.AddEnvironmentVariables().AddInMemoryCollection(settings))
    .ConfigureLogging(logging => logging
        .SetMinimumLevel(leveled ? level : LogLevel.Warning)
        .AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "HH:mm:ss.fff ";
        }))
    .ConfigureWebJobs(jobs =>
    {
        jobs.AddAzureStorageCoreServices();
        jobs.AddDurableTask();
    })
    .ConfigureServices(services =>
    {
        services.AddSingleton<ITypeLocator>(new GivenTypes(functions, typeof(ClientFunctions)));
        services.AddSingleton<IWebHookProvider>(new NoWebHooks());
    })
    .Build();
await host.StartAsync();
var jobHost = (JobHost)host.Services.GetRequiredService<IJobHost>();
await jobHost.CallAsync(typeof(ClientFunctions).GetMethod(nameof(ClientFunctions.SayBinding)));
await host.WaitForShutdownAsync();
return 0;

// Configuration knows paths and texts only: {"a": {"b": [1]}} is "a:b:0" = "1".
static void Flatten(JToken token, string path, Dictionary<string, string> settings)
{
    switch (token)
    {
        case JObject parent:
            foreach (JProperty child in parent.Properties())
            {
                Flatten(child.Value, $"{path}:{child.Name}", settings);
            }

            break;
        case JArray list:
            for (int index = 0; index < list.Count; index++)
            {
                Flatten(list[index], $"{path}:{index}", settings);
            }

            break;
        case JValue value:
            settings[path] = Convert.ToString(value.Value, CultureInfo.InvariantCulture);
            break;
    }
}

/// <summary>The one function of this program itself: called once, it says what a durable client's binding holds.</summary>
public static class ClientFunctions
{
    [NoAutomaticTrigger, FunctionName("client-binding")]
    public static void SayBinding([DurableClient] string binding) =>
        Console.WriteLine($"BINDING {binding.Replace('\n', ' ')}");
}

internal sealed class GivenTypes(params Type[] given) : ITypeLocator
{
    public IReadOnlyList<Type> GetTypes() => given;
}

/// <summary>The extension asks where its webhooks are. The caller of this engine has webhooks of its own.</summary>
internal sealed class NoWebHooks : IWebHookProvider
{
    public Uri GetUrl(IExtensionConfigProvider extension) =>
        new("http://127.0.0.1:1/runtime/webhooks/durabletask?code=unused");
}

/// <summary>Without the lines that the extension writes for the platform to collect, one for each of its events.</summary>
internal sealed class QuietConsole(TextWriter inner) : TextWriter
{
    private const string Collected = "MS_DURABLE_FUNCTION_EVENTS_LOGS";

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => inner.Write(value);

    public override void Write(string value)
    {
        inner.Write(value);
        inner.Flush();
    }

    public override void WriteLine(string value)
    {
        if (value is null || !value.StartsWith(Collected, StringComparison.Ordinal))
        {
            inner.WriteLine(value);
            inner.Flush();
        }
    }
}
