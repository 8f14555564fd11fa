using System.Reflection;
using System.Reflection.Emit;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Extensions.DurableTask;
using Newtonsoft.Json.Linq;

namespace DurableEngine;

/// <summary>
/// WebJobs finds functions as attributed methods, so every name of the app becomes a static method of a type that is
/// made at run time: <c>object kind_name([Trigger] string trigger) => LanguageWorker.Call(kind, name, trigger)</c>.
/// </summary>
internal static class FunctionTypes
{
    public static Type Make(JObject names)
    {
        TypeBuilder type = AssemblyBuilder
            .DefineDynamicAssembly(new AssemblyName("Functions"), AssemblyBuilderAccess.Run)
            .DefineDynamicModule("Functions")
            .DefineType("AppFunctions", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        foreach (string name in NamesOf(names, "orchestration"))
        {
            Add(type, "orchestration", name, Plain(typeof(OrchestrationTriggerAttribute)), nameof(LanguageWorker.Call));
        }

        foreach (string name in NamesOf(names, "activity"))
        {
            Add(type, "activity", name, Plain(typeof(ActivityTriggerAttribute)), nameof(LanguageWorker.CallActivity));
        }

        foreach (string name in NamesOf(names, "entity"))
        {
            Add(type, "entity", name, EntityTrigger(name), nameof(LanguageWorker.Call));
        }

        return type.CreateType();
    }

    private static IEnumerable<string> NamesOf(JObject names, string kind) => names[kind]?.Values<string>() ?? [];

    private static CustomAttributeBuilder Plain(Type trigger) => new(trigger.GetConstructor([]), []);

    private static CustomAttributeBuilder EntityTrigger(string name)
    {
        Type trigger = typeof(EntityTriggerAttribute);
        PropertyInfo property = trigger.GetProperty(nameof(EntityTriggerAttribute.EntityName));
        return new CustomAttributeBuilder(trigger.GetConstructor([]), [], [property], [name]);
    }

    private static void Add(TypeBuilder type, string kind, string name, CustomAttributeBuilder trigger, string target)
    {
        MethodInfo callee = typeof(LanguageWorker).GetMethod(target);
        MethodBuilder method = type.DefineMethod(
            $"{kind}_{name}", MethodAttributes.Public | MethodAttributes.Static, callee.ReturnType, [typeof(string)]);
        ConstructorInfo named = typeof(FunctionNameAttribute).GetConstructor([typeof(string)]);
        method.SetCustomAttribute(new CustomAttributeBuilder(named, [name]));
        method.DefineParameter(1, ParameterAttributes.None, "trigger").SetCustomAttribute(trigger);
        ILGenerator body = method.GetILGenerator();
        body.Emit(OpCodes.Ldstr, kind);
        body.Emit(OpCodes.Ldstr, name);
        body.Emit(OpCodes.Ldarg_0);
        body.Emit(OpCodes.Call, callee);
        body.Emit(OpCodes.Ret);
    }
}
